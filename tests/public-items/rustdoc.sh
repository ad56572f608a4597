#!/bin/sh
# rustdoc, with its unstable JSON output enabled on the pinned stable toolchain.
RUSTC_BOOTSTRAP=1 exec rustdoc "$@"
