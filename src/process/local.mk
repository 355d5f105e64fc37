## src/process
noinst_LIBRARIES += libprocess.a
libprocess_a_SOURCES = \
	src/process/config.c \
	src/process/config.h \
	src/process/config_checks.c \
	src/process/config_dialects.c \
	src/process/config_documents.c \
	src/process/config_hooks.c \
	src/process/config_lines.c \
	src/process/config_mounts.c \
	src/process/config_reader.h \
	src/process/config_realms.c \
	src/process/config_settings.c \
	src/process/config_values.c \
	src/process/config_webhooks.c \
	src/process/dialect_answers.c \
	src/process/dialect_checks.c \
	src/process/dialect_endpoints.c \
	src/process/dialect_file.c \
	src/process/dialect_file.h \
	src/process/dialect_reader.h \
	src/process/dialect_refusals.c \
	src/process/dialect_tokens.c \
	src/process/dialect_values.c \
	src/process/dialects.c \
	src/process/dialects.h \
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

# The files of dialects are in the program as they are.
DIALECT_FILES = \
	dialects/aspnet-identity.dialect \
	dialects/auth0.dialect \
	dialects/azure.dialect \
	dialects/cognito.dialect \
	dialects/devise-jwt.dialect \
	dialects/directus.dialect \
	dialects/duktig.dialect \
	dialects/firebase.dialect \
	dialects/keycloak.dialect \
	dialects/nestjs.dialect \
	dialects/nestjs-cookies.dialect \
	dialects/okta.dialect \
	dialects/passport.dialect \
	dialects/pocketbase.dialect \
	dialects/simplejwt.dialect \
	dialects/strapi.dialect \
	dialects/supabase.dialect \
	dialects/wirecash.dialect
nodist_libprocess_a_SOURCES = src/process/dialects_files.c
CLEANFILES += src/process/dialects_files.c
EXTRA_DIST += dialects/embed
src/process/dialects_files.c: dialects/embed $(DIALECT_FILES)
	$(AM_V_GEN)$(MKDIR_P) src/process && cd $(srcdir) && sh dialects/embed $(DIALECT_FILES) \
		>$(abs_builddir)/$@.new && mv $(abs_builddir)/$@.new $(abs_builddir)/$@
