## tests/model: one program per file of src/model.
check_PROGRAMS += tests/model/test_event
tests_model_test_event_SOURCES = tests/model/test_event.c tests/base/expect.h
tests_model_test_event_CPPFLAGS = $(TEST_CPPFLAGS)
tests_model_test_event_LDADD = $(MODEL_LIBS)
check_PROGRAMS += tests/model/test_outcome
tests_model_test_outcome_SOURCES = tests/model/test_outcome.c tests/base/expect.h
tests_model_test_outcome_CPPFLAGS = $(TEST_CPPFLAGS)
tests_model_test_outcome_LDADD = $(MODEL_LIBS)
check_PROGRAMS += tests/model/test_session
tests_model_test_session_SOURCES = tests/model/test_session.c tests/base/expect.h
tests_model_test_session_CPPFLAGS = $(TEST_CPPFLAGS)
tests_model_test_session_LDADD = $(MODEL_LIBS)
check_PROGRAMS += tests/model/test_signing
tests_model_test_signing_SOURCES = tests/model/test_signing.c tests/base/expect.h
tests_model_test_signing_CPPFLAGS = $(TEST_CPPFLAGS)
tests_model_test_signing_LDADD = $(MODEL_LIBS)
