## tests/dialect: golden request/answer pairs and the walk over every outcome; see golden/README.
# The dialects that files describe are read by process/.
DIALECT_TEST_LIBS = $(PROCESS_LIBS)

check_PROGRAMS += tests/dialect/test_dialect tests/dialect/test_assertion tests/dialect/test_browser

tests_dialect_test_browser_SOURCES = tests/dialect/test_browser.c
tests_dialect_test_browser_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_browser_LDADD = $(DIALECT_TEST_LIBS)

tests_dialect_test_dialect_SOURCES = \
	tests/dialect/test_dialect.c \
	tests/dialect/golden.c \
	tests/dialect/golden.h tests/dialect/known_issuer.h
tests_dialect_test_dialect_CPPFLAGS = $(TEST_CPPFLAGS) \
	-DGOLDEN_DIR=\"$(abs_top_srcdir)/tests/dialect/golden\"
tests_dialect_test_dialect_LDADD = $(DIALECT_TEST_LIBS)

tests_dialect_test_assertion_SOURCES = tests/dialect/test_assertion.c
tests_dialect_test_assertion_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_assertion_LDADD = $(DIALECT_TEST_LIBS)

# What the dialects put into tokens.
check_PROGRAMS += tests/dialect/test_layout tests/dialect/test_kopong_principal \
	tests/dialect/test_documented_tokens

tests_dialect_test_layout_SOURCES = tests/dialect/test_layout.c \
	tests/dialect/golden.c tests/dialect/golden.h
tests_dialect_test_layout_CPPFLAGS = $(tests_dialect_test_dialect_CPPFLAGS)
tests_dialect_test_layout_LDADD = $(DIALECT_TEST_LIBS)

tests_dialect_test_kopong_principal_SOURCES = tests/dialect/test_kopong_principal.c
tests_dialect_test_kopong_principal_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_kopong_principal_LDADD = $(DIALECT_TEST_LIBS)

tests_dialect_test_documented_tokens_SOURCES = tests/dialect/test_documented_tokens.c \
	tests/dialect/documented_tokens.h
tests_dialect_test_documented_tokens_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_documented_tokens_LDADD = $(DIALECT_TEST_LIBS)

# What templates make of any value.
check_PROGRAMS += tests/dialect/test_templates
tests_dialect_test_templates_SOURCES = tests/dialect/test_templates.c tests/dialect/stranger.h
tests_dialect_test_templates_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_templates_LDADD = $(DIALECT_TEST_LIBS)

EXTRA_DIST += tests/dialect/golden
