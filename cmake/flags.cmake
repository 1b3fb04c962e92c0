# Warnings, hardening and sanitizers: every target of ours links daler_flags; generated code links daler_flags_generated.
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")
set(DALER_SANITIZE "" CACHE STRING "address,undefined or thread")
option(DALER_FUZZ "build the fuzz targets (clang)" OFF)

add_library(daler_flags_generated INTERFACE)
target_compile_options(daler_flags_generated INTERFACE -std=gnu2x -fno-omit-frame-pointer
	-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_compile_definitions(daler_flags_generated INTERFACE _GNU_SOURCE DALER_VERSION="${PROJECT_VERSION}")
if(DALER_SANITIZE)
	target_compile_options(daler_flags_generated INTERFACE -fsanitize=${DALER_SANITIZE} -fno-sanitize-recover=all)
	target_link_options(daler_flags_generated INTERFACE -fsanitize=${DALER_SANITIZE})
	if(CMAKE_C_COMPILER_ID STREQUAL GNU AND DALER_SANITIZE MATCHES undefined)
		# gcc's shared libubsan beside libasan writes its reports to no file, whatever log_path says.
		target_link_options(daler_flags_generated INTERFACE -static-libasan -static-libubsan)
	endif()
else()
	target_compile_options(daler_flags_generated INTERFACE
		$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>
		-fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE)
	target_link_options(daler_flags_generated INTERFACE -Wl,-z,relro,-z,now)
	if(NOT DALER_FUZZ)
		target_link_options(daler_flags_generated INTERFACE -pie)
	endif()
endif()
if(DALER_FUZZ)
	target_compile_options(daler_flags_generated INTERFACE -O1 -fsanitize=fuzzer-no-link)
endif()

add_library(daler_flags INTERFACE)
target_link_libraries(daler_flags INTERFACE daler_flags_generated)
target_compile_options(daler_flags INTERFACE
	-Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
	-Wswitch-enum -Wformat=2 -Werror
	# clang sees into the macros of protobuf-c's generated headers, which cast a constant empty string.
	$<$<C_COMPILER_ID:GNU>:-Wcast-qual>)
