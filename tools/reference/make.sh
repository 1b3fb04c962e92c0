#!/usr/bin/env bash
# Writes the reference pages: make.sh FOLDER_OF_THE_PROGRAMS FOLDER_OF_THE_PAGES. With --check it writes nothing and fails
# when a page differs from what the code says.
set -euo pipefail
check=
if [ "${1:-}" = --check ]; then check=1 && shift; fi
bin=$1 pages=$2

page() { # NAME COMMAND...
	local name=$1 text
	shift
	text=$("$@")
	if [ -z "$check" ]; then
		printf '%s\n' "$text" >"$pages/$name.md"
	elif ! diff -u --label "$name.md" --label "what the code says" "$pages/$name.md" <(printf '%s\n' "$text"); then
		printf 'docs/reference/%s.md is not what the code says; ./daler docs writes it anew\n' "$name"
		failed=1
	fi
}

failed=0
mkdir -p "$pages"
for name in methods metrics codes; do page "$name" "$bin/daler-reference" "$name"; done
for name in auth accounts payments psp-simulator; do page "settings-$name" "$bin/daler-$name" --print-reference; done
page payment-states "$bin/daler-payments" print-states
page simulator "$bin/daler-psp-simulator" print-behaviours
exit "$failed"
