## tests/campaign: what scripts/lab/campaign needs in C; built on demand only.
EXTRA_PROGRAMS += tests/campaign/keeper tests/campaign/replay
campaign-programs: tests/campaign/keeper tests/campaign/replay bench/populate bench/loadgen

tests_campaign_keeper_SOURCES = tests/campaign/keeper.c
tests_campaign_replay_SOURCES = tests/campaign/replay.c tests/campaign/recording.h
tests_campaign_replay_CPPFLAGS = $(TEST_CPPFLAGS)
tests_campaign_replay_LDADD = $(FLOORS)

# preloaded: scripts/lab/preload.py builds them
EXTRA_DIST += tests/campaign/clock.c tests/campaign/faultshim.c tests/campaign/recorder.c
