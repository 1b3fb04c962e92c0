# Embedding files at build time.
set(DALER_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake)

# daler_embed_sql(TARGET PREFIX FOLDER): every FOLDER/NAME.sql becomes `extern const char PREFIX_NAME[]` in PREFIX.sql.h.
function(daler_embed_sql target prefix folder)
	file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${prefix}.sql)
	add_custom_command(OUTPUT ${out}.c ${out}.h
		COMMAND ${CMAKE_COMMAND} -DKIND=sql -DPREFIX=${prefix} -DOUT=${out} "-DFILES=${files}" -P ${DALER_EMBED_SCRIPT}
		DEPENDS ${files} ${DALER_EMBED_SCRIPT} VERBATIM)
	target_sources(${target} PRIVATE ${out}.c ${out}.h)
	target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()

# daler_embed_migrations(TARGET PREFIX FOLDER): FOLDER/NNNN_name.sql become `extern const struct rt_schema PREFIX_schema`
# in PREFIX_schema.h.
function(daler_embed_migrations target prefix folder)
	file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${prefix}_schema)
	add_custom_command(OUTPUT ${out}.c ${out}.h
		COMMAND ${CMAKE_COMMAND} -DKIND=migrations -DPREFIX=${prefix} -DOUT=${out} "-DFILES=${files}" -P ${DALER_EMBED_SCRIPT}
		DEPENDS ${files} ${DALER_EMBED_SCRIPT} VERBATIM)
	target_sources(${target} PRIVATE ${out}.c ${out}.h)
	target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()

# daler_embed_file(TARGET SYMBOL FILE): the bytes of FILE as `const unsigned char SYMBOL[]` and `const size_t SYMBOL_size`
# in SYMBOL.h.
function(daler_embed_file target symbol file)
	set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded/${symbol})
	add_custom_command(OUTPUT ${out}.c ${out}.h
		COMMAND ${CMAKE_COMMAND} -DKIND=bytes -DPREFIX=${symbol} -DOUT=${out} "-DFILES=${file}" -P ${DALER_EMBED_SCRIPT}
		DEPENDS ${file} ${DALER_EMBED_SCRIPT} VERBATIM)
	target_sources(${target} PRIVATE ${out}.c ${out}.h)
	target_include_directories(${target} PUBLIC ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()
