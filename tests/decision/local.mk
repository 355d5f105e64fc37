## tests/decision: decide says what decision.c decides of points that test_reference.py makes;
## simulate, what that means to users and thieves.
EXTRA_PROGRAMS += tests/decision/decide tests/decision/simulate
check_DATA = tests/decision/decide tests/decision/simulate
tests_decision_decide_SOURCES = tests/decision/decide.c
tests_decision_decide_CPPFLAGS = $(TEST_CPPFLAGS)
tests_decision_decide_LDADD = $(OPERATION_LIBS)
tests_decision_simulate_SOURCES = \
	tests/decision/simulate.c \
	tests/decision/simulate_failovers.c \
	tests/decision/simulate_failovers.h \
	tests/decision/population.c \
	tests/decision/population.h \
	tests/decision/life.c \
	tests/decision/life.h \
	tests/decision/failover.c \
	tests/decision/failover.h \
	tests/decision/chance.c \
	tests/decision/chance.h
tests_decision_simulate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_decision_simulate_LDADD = $(OPERATION_LIBS) -lm
