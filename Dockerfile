# SPDX-License-Identifier: Apache-2.0
# takc serve as an image: docker build -t takc . && docker run -p 8080:8080 -v takc:/var/lib/takc takc
# What is reachable asks for keys; the first: docker run --rm -v takc:/var/lib/takc takc key create me --may query,ingest,admin
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/install-parts.sh scripts/
RUN sh scripts/install-parts.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release -DCMAKE_INSTALL_PREFIX=/usr/local \
    && cmake --build --preset release --target takc \
    && DESTDIR=/out cmake --install build/release --component program

FROM debian:12-slim
COPY scripts/install-parts.sh /tmp/
RUN sh /tmp/install-parts.sh run && rm -rf /var/lib/apt/lists/* /tmp/install-parts.sh \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/takc --shell /usr/sbin/nologin takc \
    && install -d -o takc -g takc -m 0700 /var/lib/takc
COPY --from=build /out/ /
USER 10001:10001
ENV TAKC_HOME=/var/lib/takc TAKC_SERVE_ADDRESS=0.0.0.0 TAKC_SERVE_AUTH=key
VOLUME /var/lib/takc
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/takc"]
CMD ["serve"]
