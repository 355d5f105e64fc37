## tests/responder; serve's world is the one of tests/operation.
RESPONDER_LIBS = libresponder.a $(PROCESS_LIBS)
check_PROGRAMS += \
	tests/responder/test_router \
	tests/responder/test_serve
tests_responder_test_router_SOURCES = tests/responder/test_router.c
tests_responder_test_router_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_router_LDADD = $(RESPONDER_LIBS)
tests_responder_test_serve_SOURCES = tests/responder/test_serve.c
tests_responder_test_serve_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_serve_LDADD = $(RESPONDER_LIBS)
EXTRA_DIST += tests/responder/test_start.py tests/responder/leaving.c
