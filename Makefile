# SPDX-License-Identifier: Apache-2.0
# Thin: every target is one cmake, ctest or script call. CMakePresets.json has the builds.
.PHONY: all test asan tsan fault fuzz-smoke bench lint format sizes install clean help
all: ## the library and the program, build/release
	@cmake --preset release >/dev/null && cmake --build --preset release
test: all ## all tests
	@ctest --preset release -j3
asan: ## tests under AddressSanitizer and UndefinedBehaviorSanitizer: all but the matrices of faults over HTTP, which take long
	@cmake --preset asan >/dev/null && cmake --build --preset asan && ctest --preset asan -j3 -E 'provider\.(openai|bedrock)_faults'
tsan: ## the tests that use threads under ThreadSanitizer
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan && ctest --preset tsan -j3 -R 'base\.|net\.|object\.|catalog\.|compress\.|rank\.|property\.|pipeline\.|api\.mixed' -E 'property\.(forget|modes|mutation|generated_mutations|originals|cite)'
fault: all ## the tests that make allocations, reads, writes and renames fail
	@ctest --preset release -L fault
fuzz-smoke: ## a short run of every fuzz target
	@sh scripts/fuzz-smoke.sh
bench: all ## speed figures, as CSV
	@sh bench/run.sh
lint: ## clang-format, clang-tidy, layers
	@sh scripts/lint.sh
format: ## clang-format in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i
sizes: all ## sizes of the program and the library
	@size build/release/takc build/release/libtakc.so
install: all ## into DESTDIR and prefix
	@cmake --install build/release
clean: ## remove build/
	@rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
