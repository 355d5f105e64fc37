## tests/responder; serve's world is the one of tests/operation.
RESPONDER_LIBS = libresponder.a $(PROCESS_LIBS)
check_PROGRAMS += \
	tests/responder/test_router \
	tests/responder/test_serve \
	tests/responder/test_hostile
tests_responder_test_router_SOURCES = tests/responder/test_router.c
tests_responder_test_router_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_router_LDADD = $(RESPONDER_LIBS)
tests_responder_test_serve_SOURCES = tests/responder/test_serve.c
tests_responder_test_serve_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_serve_LDADD = $(RESPONDER_LIBS)
tests_responder_test_hostile_SOURCES = tests/responder/test_hostile.c \
	tests/responder/spelled.c tests/responder/spelled.h tests/dialect/stranger.h
tests_responder_test_hostile_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_hostile_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=log_admits
tests_responder_test_hostile_LDADD = $(RESPONDER_LIBS)
EXTRA_DIST += tests/responder/test_start.py tests/responder/leaving.c
