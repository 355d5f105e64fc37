## tests/responder; serve's world is the one of tests/refresh.
RESPONDER_LIBS = libresponder.a libprocess.a $(INIH_LIBS) $(DIALECT_LIBS)
check_PROGRAMS += \
	tests/responder/test_router \
	tests/responder/test_serve \
	tests/responder/test_exchange \
	tests/responder/test_listener \
	tests/responder/test_door \
	tests/responder/test_records
tests_responder_test_router_SOURCES = tests/responder/test_router.c
tests_responder_test_router_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_router_LDADD = $(RESPONDER_LIBS)
tests_responder_test_serve_SOURCES = \
	tests/responder/test_serve.c \
	tests/refresh/world.c tests/refresh/world.h
tests_responder_test_serve_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_serve_LDADD = $(RESPONDER_LIBS)
tests_responder_test_exchange_SOURCES = tests/responder/test_exchange.c
tests_responder_test_exchange_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_exchange_LDADD = $(RESPONDER_LIBS)
tests_responder_test_listener_SOURCES = tests/responder/test_listener.c
tests_responder_test_listener_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_listener_LDADD = $(RESPONDER_LIBS)
tests_responder_test_door_SOURCES = tests/responder/test_door.c
tests_responder_test_door_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_door_LDADD = $(RESPONDER_LIBS)
tests_responder_test_records_SOURCES = tests/responder/test_records.c
tests_responder_test_records_CPPFLAGS = $(TEST_CPPFLAGS)
tests_responder_test_records_LDADD = $(RESPONDER_LIBS) $(FCGI_LIBS)
EXTRA_DIST += tests/responder/test_start.py
