## tests/refresh
check_PROGRAMS += tests/refresh/test_decision tests/refresh/test_refresh tests/refresh/test_password \
	tests/refresh/test_client_auth tests/refresh/test_token_ref tests/refresh/test_issue \
	tests/refresh/test_authority tests/refresh/test_preview
tests_refresh_test_decision_SOURCES = tests/refresh/test_decision.c
tests_refresh_test_decision_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_decision_LDADD = $(REFRESH_LIBS)
tests_refresh_test_refresh_SOURCES = \
	tests/refresh/test_refresh.c \
	tests/refresh/world.c \
	tests/refresh/world.h
tests_refresh_test_refresh_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_refresh_LDADD = $(REFRESH_LIBS)
tests_refresh_test_password_SOURCES = tests/refresh/test_password.c
tests_refresh_test_password_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_password_LDADD = $(REFRESH_LIBS)
tests_refresh_test_client_auth_SOURCES = tests/refresh/test_client_auth.c tests/refresh/world.c tests/refresh/world.h
tests_refresh_test_client_auth_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_client_auth_LDADD = $(REFRESH_LIBS)
tests_refresh_test_token_ref_SOURCES = tests/refresh/test_token_ref.c tests/refresh/world.c tests/refresh/world.h
tests_refresh_test_token_ref_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_token_ref_LDADD = $(REFRESH_LIBS)
tests_refresh_test_issue_SOURCES = tests/refresh/test_issue.c tests/refresh/world.c tests/refresh/world.h
tests_refresh_test_issue_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_issue_LDADD = $(REFRESH_LIBS)
tests_refresh_test_authority_SOURCES = tests/refresh/test_authority.c tests/refresh/world.c tests/refresh/world.h
tests_refresh_test_authority_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_authority_LDADD = $(REFRESH_LIBS)
tests_refresh_test_preview_SOURCES = tests/refresh/test_preview.c tests/refresh/world.c tests/refresh/world.h
tests_refresh_test_preview_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_preview_LDADD = $(REFRESH_LIBS)
