## tests/admin: what the administration prints and reads; test_admin.py runs the program itself.
ADMIN_LIBS = libadmin.a $(FLOORS) $(CMOCKA_LIBS)
ADMIN_CPPFLAGS = $(TEST_CPPFLAGS)

check_PROGRAMS += tests/admin/test_options tests/admin/test_output tests/admin/test_key_need \
	tests/admin/test_lines tests/admin/test_prompt
tests_admin_test_options_SOURCES = tests/admin/test_options.c
tests_admin_test_options_CPPFLAGS = $(ADMIN_CPPFLAGS)
tests_admin_test_options_LDADD = $(ADMIN_LIBS)
tests_admin_test_output_SOURCES = tests/admin/test_output.c
tests_admin_test_output_CPPFLAGS = $(ADMIN_CPPFLAGS)
tests_admin_test_output_LDADD = $(ADMIN_LIBS)
tests_admin_test_key_need_SOURCES = tests/admin/test_key_need.c
tests_admin_test_key_need_CPPFLAGS = $(ADMIN_CPPFLAGS)
tests_admin_test_key_need_LDADD = $(ADMIN_LIBS)
tests_admin_test_prompt_SOURCES = tests/admin/test_prompt.c
tests_admin_test_prompt_CPPFLAGS = $(ADMIN_CPPFLAGS)
tests_admin_test_prompt_LDADD = $(ADMIN_LIBS)
tests_admin_test_lines_SOURCES = tests/admin/test_lines.c
tests_admin_test_lines_CPPFLAGS = $(ADMIN_CPPFLAGS)
tests_admin_test_lines_LDADD = $(ADMIN_LIBS)

EXTRA_DIST += tests/admin/test_account_files.py tests/admin/test_dialect.py
EXTRA_DIST += tests/admin/test_admin.py tests/admin/test_postgresql.py tests/admin/test_moving.py tests/admin/test_reasons.py tests/admin/test_killed.py tests/admin/stop_at.c
