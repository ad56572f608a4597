#!/bin/sh
# rustdoc, which may write JSON although it is not a nightly.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
