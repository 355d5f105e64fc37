## tests/http: one program per file of src/http.
check_PROGRAMS += tests/http/test_request
tests_http_test_request_SOURCES = tests/http/test_request.c tests/base/expect.h
tests_http_test_request_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_request_LDADD = $(HTTP_LIBS)
check_PROGRAMS += tests/http/test_response
tests_http_test_response_SOURCES = tests/http/test_response.c tests/base/expect.h
tests_http_test_response_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_response_LDADD = $(HTTP_LIBS)
check_PROGRAMS += tests/http/test_origin
tests_http_test_origin_SOURCES = tests/http/test_origin.c tests/base/expect.h
tests_http_test_origin_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_origin_LDADD = $(HTTP_LIBS)
check_PROGRAMS += tests/http/test_network
tests_http_test_network_SOURCES = tests/http/test_network.c
tests_http_test_network_CPPFLAGS = $(TEST_CPPFLAGS)
tests_http_test_network_LDADD = $(HTTP_LIBS)
