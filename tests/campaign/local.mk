## tests/campaign: what scripts/lab/campaign needs in C; built on demand only.
campaign_programs = tests/campaign/keeper tests/campaign/replay
EXTRA_PROGRAMS += $(campaign_programs)
campaign-programs: $(campaign_programs) tests/campaign/recorder.so
.PHONY: campaign-programs

tests_campaign_keeper_SOURCES = tests/campaign/keeper.c
tests_campaign_replay_SOURCES = tests/campaign/replay.c tests/campaign/recording.h
tests_campaign_replay_CPPFLAGS = $(TEST_CPPFLAGS)
tests_campaign_replay_LDADD = $(FLOORS)

tests/campaign/recorder.so: $(srcdir)/tests/campaign/recorder.c $(srcdir)/tests/campaign/recording.h
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(TEST_CPPFLAGS) $(AM_CFLAGS) -Wno-pedantic $(CFLAGS) -fPIC -shared \
		-o $@ $(srcdir)/tests/campaign/recorder.c
CLEANFILES += tests/campaign/recorder.so
EXTRA_DIST += tests/campaign/recorder.c
EXTRA_DIST += tests/campaign/faultshim.c # preloaded: scripts/lab/preload.py builds it
