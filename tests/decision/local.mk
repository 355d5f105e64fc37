## tests/decision: decide says what decision.c decides of points that test_reference.py makes.
EXTRA_PROGRAMS += tests/decision/decide
check_DATA = tests/decision/decide
tests_decision_decide_SOURCES = tests/decision/decide.c
tests_decision_decide_CPPFLAGS = $(TEST_CPPFLAGS)
tests_decision_decide_LDADD = $(OPERATION_LIBS)
