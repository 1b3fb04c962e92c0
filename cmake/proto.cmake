# All contracts become one library of protobuf-c messages (daler_proto) and one descriptor set, proto/descriptors.pb.
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_GEN_C NAMES protoc-gen-c protoc-c REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
find_path(PROTOBUF_WELL_KNOWN google/protobuf/any.proto REQUIRED)

set(DALER_PROTO_DIR ${CMAKE_SOURCE_DIR}/proto)
set(DALER_PROTO_OUT ${CMAKE_BINARY_DIR}/proto)
set(DALER_DESCRIPTORS ${DALER_PROTO_OUT}/descriptors.pb)
file(MAKE_DIRECTORY ${DALER_PROTO_OUT})
file(GLOB_RECURSE proto_files RELATIVE ${DALER_PROTO_DIR} CONFIGURE_DEPENDS ${DALER_PROTO_DIR}/*.proto)
set(well_known google/protobuf/any.proto google/protobuf/field_mask.proto google/protobuf/timestamp.proto google/protobuf/duration.proto)
set(proto_sources)
set(proto_outputs)
foreach(proto ${proto_files} ${well_known})
	string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${proto})
	list(APPEND proto_sources ${DALER_PROTO_OUT}/${stem}.c)
	list(APPEND proto_outputs ${DALER_PROTO_OUT}/${stem}.c ${DALER_PROTO_OUT}/${stem}.h)
endforeach()
list(TRANSFORM proto_files PREPEND ${DALER_PROTO_DIR}/ OUTPUT_VARIABLE proto_paths)
add_custom_command(OUTPUT ${proto_outputs} ${DALER_DESCRIPTORS}
	COMMAND ${PROTOC} -I${DALER_PROTO_DIR} -I${PROTOBUF_WELL_KNOWN} --c_out=${DALER_PROTO_OUT} ${proto_files} ${well_known}
	COMMAND ${PROTOC} -I${DALER_PROTO_DIR} -I${PROTOBUF_WELL_KNOWN} --include_imports
		--descriptor_set_out=${DALER_DESCRIPTORS} ${proto_files}
	DEPENDS ${proto_paths} COMMENT "protoc" VERBATIM)
add_library(daler_proto STATIC ${proto_sources})
target_include_directories(daler_proto SYSTEM PUBLIC ${DALER_PROTO_OUT})
target_link_libraries(daler_proto PUBLIC PkgConfig::PROTOBUF_C PRIVATE daler_flags_generated)
add_custom_target(daler_descriptors DEPENDS ${DALER_DESCRIPTORS})
add_dependencies(daler_descriptors daler_proto)
