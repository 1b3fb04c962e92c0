# daler_sandbox_test(NAME SECONDS PATH MODULE... [NO_SERVICES] [SETTINGS NAME=VALUE...]): runs Python's unittest modules from
# PATH, the services with these settings. Nothing but the distribution's python3-grpcio and python3-protobuf is needed; where they are
# missing the test fails and says so.
set(DALER_PYTHON "")
foreach(candidate /usr/bin/python3 python3)
	if(NOT DALER_PYTHON)
		execute_process(COMMAND ${candidate} -c "import sys, grpc, google.protobuf; print(sys.executable)"
			OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
		if(NOT failed)
			set(DALER_PYTHON ${found})
		endif()
	endif()
endforeach()
if(NOT DALER_PYTHON)
	message(WARNING "python3-grpcio or python3-protobuf is missing: the black-box tests will fail")
endif()
# Instrumented binaries are slower, and so the tests more patient.
set(DALER_TEST_PATIENCE 1)
if(DALER_SANITIZE)
	set(DALER_TEST_PATIENCE 4)
endif()

function(daler_sandbox_test name seconds path)
	cmake_parse_arguments(PARSE_ARGV 3 test NO_SERVICES "" SETTINGS)
	if(NOT DALER_PYTHON)
		add_test(NAME ${name} COMMAND sh -c "echo python3-grpcio or python3-protobuf is missing >&2; exit 1")
		return()
	endif()
	math(EXPR limit "${seconds} * ${DALER_TEST_PATIENCE}")
	string(REGEX MATCH "^[a-z]+" label ${name})
	set(mode)
	if(test_NO_SERVICES)
		set(mode --no-services)
	endif()
	add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/daler sandbox ${mode} ${DALER_PYTHON} -m unittest -v ${test_UNPARSED_ARGUMENTS}
		WORKING_DIRECTORY ${path})
	set_tests_properties(${name} PROPERTIES TIMEOUT ${limit} SKIP_RETURN_CODE 77 LABELS ${label} ENVIRONMENT
		"DALER_BUILD_DIR=${CMAKE_BINARY_DIR};DALER_PACKAGES=skip;DALER_TEST_PATIENCE=${DALER_TEST_PATIENCE};PYTHONPATH=${CMAKE_SOURCE_DIR}/tests/integration;PYTHONDONTWRITEBYTECODE=1;${test_SETTINGS}")
endfunction()
