#!/usr/bin/env bash
# grpcurl.sh FOLDER: prints where grpcurl is; builds it into FOLDER when a Go toolchain can. Fails when there is none.
set -euo pipefail

version=v1.9.3
folder=$1

if command -v grpcurl; then
	exit
fi
if [ ! -x "$folder/grpcurl" ]; then
	command -v go >/dev/null || exit 1
	mkdir -p "$folder"
	GOBIN=$folder GOFLAGS=-mod=mod timeout 240 go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version" >&2
fi
printf '%s\n' "$folder/grpcurl"
