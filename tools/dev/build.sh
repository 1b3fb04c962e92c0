# shellcheck shell=bash
# Building with the CMake presets; quiet, unless it fails.

# build_current: brings the build up to date whose binaries run, if it is one of the presets'; another is the caller's own.
build_current() {
	[ "${build%/*}" != "$root/build" ] || build_preset "${build##*/}"
}

# build_preset PRESET [TARGET]: builds it, or only TARGET; with configure set it looks for libraries afresh, such as those of
# newly installed packages.
build_preset() {
	local preset=$1 log=$root/build/$1.log
	mkdir -p "$root/build"
	[ -f "$root/build/$preset/build.ninja" ] || say "building ($preset); the first time takes a minute"
	(cd "$root" && build_steps "$preset" "${2:-all}") >"$log" 2>&1 || fail "the build failed" "$log"
}

build_steps() { # PRESET TARGET
	# Ninja runs CMake again by itself where a CMakeLists.txt changed.
	[ -f "build/$1/build.ninja" ] && [ -z "${configure:-}" ] || cmake --preset "$1" || return 1
	cmake --build --preset "$1" --target "$2"
}
