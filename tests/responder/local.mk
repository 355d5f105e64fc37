## tests/responder: check_PROGRAMS += tests/responder/test_FILE, with _SOURCES, _CPPFLAGS = $(TEST_CPPFLAGS), _LDADD = $(..._LIBS)
