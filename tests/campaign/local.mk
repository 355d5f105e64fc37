## tests/campaign: what scripts/lab/campaign needs in C; built on demand only.
campaign_programs = tests/campaign/keeper
EXTRA_PROGRAMS += $(campaign_programs)
campaign-programs: $(campaign_programs)
.PHONY: campaign-programs

tests_campaign_keeper_SOURCES = tests/campaign/keeper.c
