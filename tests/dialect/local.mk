## tests/dialect: golden request/answer pairs and the walk over every outcome; see golden/README.
# Linked without refresh, store and token: a dialect sees their types and calls none of them.
DIALECT_TEST_LIBS = libdialect.a libmodel.a $(HTTP_LIBS)

check_PROGRAMS += tests/dialect/test_dialect tests/dialect/test_assertion

tests_dialect_test_dialect_SOURCES = \
	tests/dialect/test_dialect.c \
	tests/dialect/golden.c \
	tests/dialect/golden.h
tests_dialect_test_dialect_CPPFLAGS = $(TEST_CPPFLAGS) \
	-DGOLDEN_DIR=\"$(abs_top_srcdir)/tests/dialect/golden\"
tests_dialect_test_dialect_LDADD = $(DIALECT_TEST_LIBS)

tests_dialect_test_assertion_SOURCES = tests/dialect/test_assertion.c
tests_dialect_test_assertion_CPPFLAGS = $(TEST_CPPFLAGS)
tests_dialect_test_assertion_LDADD = $(DIALECT_TEST_LIBS)

EXTRA_DIST += tests/dialect/golden
