#!/usr/bin/env bash
# Compiles bpf/lb.bpf.c to build/bpf/lb.bpf.o, or the source and to the object given. CLANG and LLVM_STRIP name other tools than the default ones.
set -euo pipefail
cd "$(dirname "$0")/.."
clang=${CLANG:-clang}
strip=${LLVM_STRIP:-llvm-strip}
source=${1:-bpf/lb.bpf.c}
object=${2:-build/bpf/lb.bpf.o}

# clang for the bpf target does not look into the host's multiarch folder, where <asm/types.h> is.
multiarch=$("$clang" -print-multiarch)

# v2 and not v3: with 32-bit registers clang spills half words to where pointers were, which the verifier
# refuses to who has CAP_BPF and CAP_NET_ADMIN only.
mkdir -p "$(dirname "$object")"
"$clang" -O2 -g -target bpf -mcpu=v2 -Wall -Wextra -Wno-unused-parameter -Werror \
  -idirafter "/usr/include/${multiarch:-$(uname -m)-linux-gnu}" -c "$source" -o "$object.$$"
# DWARF goes, BTF stays.
"$strip" -g "$object.$$"
mv "$object.$$" "$object"
