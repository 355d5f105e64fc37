## src/process
noinst_LIBRARIES += libprocess.a
libprocess_a_SOURCES = \
	src/process/config.c \
	src/process/config.h \
	src/process/config_checks.c \
	src/process/config_documents.c \
	src/process/config_hooks.c \
	src/process/config_lines.c \
	src/process/config_mounts.c \
	src/process/config_reader.h \
	src/process/config_realms.c \
	src/process/config_settings.c \
	src/process/config_values.c \
	src/process/config_webhooks.c \
	src/process/path.c \
	src/process/path.h \
	src/process/program.c \
	src/process/program.h \
	src/process/service.c \
	src/process/service.h \
	src/process/supervisor.c \
	src/process/supervisor.h \
	src/process/confine.c \
	src/process/confine.h \
	src/process/harden.c \
	src/process/harden.h \
	src/process/version.c \
	src/process/version.h
