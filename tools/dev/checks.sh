# shellcheck shell=bash
# Tests, benchmarks, and what looks at the code without running it.

# checks_test [PRESET] [CTEST_ARG...]: ends with ctest's closing lines and its status.
checks_test() {
	local preset=release configure=1
	case ${1:-} in
	release | debug | asan | tsan) preset=$1 && shift ;;
	-* | '') ;;
	*) die "there is no test preset '$1': release, debug, asan, tsan" ;;
	esac
	packages_need test
	build_preset "$preset"
	cd "$root"
	export DALER_BUILD_DIR=$root/build/$preset
	exec ctest --preset "$preset" --output-on-failure "$@"
}

# checks_bench [NAME [ARG...]]: a program bench-NAME of the build or a script bench/NAME, in an environment of its own.
checks_bench() {
	local name=${1:-} file
	packages_need test
	build_current
	if [ -z "$name" ]; then
		say "benchmarks:"
		checks_bench_names | sort -u
		return
	fi
	shift
	# No checkpoint falls into a run unless a case asks for one: it would slow whichever case stands there, and which that
	# is depends on how long each runs (docs/decisions/0045-checkpoints-in-a-bench.md).
	pg_settings=("shared_buffers = $(checks_quarter_of_memory_mb)MB" 'max_wal_size = 32GB' 'checkpoint_timeout = 1h')
	for file in "$build/bin/bench-$name" "$root/bench/$name"; do
		if [ -f "$file" ] && [ -x "$file" ]; then sandbox_run "$file" "$@"; fi
	done
	die "there is no benchmark '$name'; ./daler bench lists them"
}

# checks_quarter_of_memory_mb: what PostgreSQL would be given on a server of its own, 4 GB at most.
checks_quarter_of_memory_mb() {
	awk '/^MemTotal:/ { quarter = int($2 / 4096); print quarter < 4096 ? quarter : 4096 }' /proc/meminfo
}

checks_bench_names() {
	local file
	for file in "$build"/bin/bench-* "$root"/bench/*; do
		[ -f "$file" ] && [ -x "$file" ] || continue
		file=${file##*/}
		printf '  %s\n' "${file#bench-}"
	done
}

# checks_fuzz [TARGET [SECONDS]]: with libFuzzer, on a corpus that is kept; what it finds is left in build/fuzz/found.
checks_fuzz() {
	local target=${1:-} seconds=${2:-60} corpus found=$root/build/fuzz/found file
	packages_need fuzz
	build_preset fuzz fuzz-targets
	if [ -z "$target" ]; then
		say "fuzz targets:"
		for file in "$root"/build/fuzz/bin/fuzz-*; do printf '  %s\n' "${file##*/fuzz-}"; done
		return
	fi
	[ -x "$root/build/fuzz/bin/fuzz-$target" ] || die "there is no fuzz target '$target'; ./daler fuzz lists them"
	corpus=$root/build/fuzz/corpus/$target
	mkdir -p "$corpus" "$found"
	DALER_FUZZ_SEEDS=$corpus exec "$root/build/fuzz/bin/fuzz-$target" "-max_total_time=$seconds" -rss_limit_mb=1024 \
		-print_final_stats=1 "-artifact_prefix=$found/$target-" "$corpus"
}

checks_lint() {
	local sources failed=0
	packages_need lint
	cd "$root"
	readarray -t sources < <(find runtime services tools tests bench -name '*.[ch]' 2>/dev/null | sort)
	say "clang-format: ${#sources[@]} files"
	clang-format --dry-run -Werror "${sources[@]}" || failed=1
	say "clang: a build with its warnings as errors"
	build_preset clang
	say "clang-tidy"
	printf '%s\0' "${sources[@]}" | grep -z '\.c$' |
		xargs -0 -n 4 -P "$(nproc)" clang-tidy -p build/clang --quiet --warnings-as-errors='*' || failed=1
	if command -v shellcheck >/dev/null; then
		say "shellcheck"
		# daler brings the others of tools/dev with it.
		shellcheck -x daler .ci/run tools/dev/{supervise,reap,install,demo}.sh tools/reference/*.sh tests/*/*.sh || failed=1
	fi
	[ "$failed" = 0 ] || fail "lint found something"
	say "lint: clean"
}
