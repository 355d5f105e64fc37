## src/admin: the program that administers the same store. All but main.c is a library, for the tests.
noinst_LIBRARIES += libadmin.a
libadmin_a_CPPFLAGS = $(AM_CPPFLAGS) -DPKGDATADIR='"$(pkgdatadir)"'
libadmin_a_SOURCES = \
	src/admin/account_line.c src/admin/account_line.h \
	src/admin/adopted.c src/admin/adopted.h \
	src/admin/call.c src/admin/call.h \
	src/admin/client_key.c src/admin/client_key.h \
	src/admin/completion.c src/admin/completion.h \
	src/admin/confirmation.c src/admin/confirmation.h \
	src/admin/init.c \
	src/admin/init_next.c src/admin/init_next.h \
	src/admin/key_need.c src/admin/key_need.h \
	src/admin/lines.c src/admin/lines.h \
	src/admin/options.c src/admin/options.h \
	src/admin/output.c src/admin/output.h \
	src/admin/prompt.c src/admin/prompt.h \
	src/admin/secret_need.c src/admin/secret_need.h \
	src/admin/dialect/found.c src/admin/dialect/found.h \
	src/admin/dialect/input.c src/admin/dialect/input.h \
	src/admin/dialect/mask.c src/admin/dialect/mask.h \
	src/admin/dialect/page.c src/admin/dialect/page.h \
	src/admin/dialect/play.c src/admin/dialect/play.h \
	src/admin/dialect/replay.c src/admin/dialect/replay.h \
	src/admin/dialect/tell.c src/admin/dialect/tell.h \
	src/admin/dialect/tell_answer.c src/admin/dialect/tell_parts.h \
	src/admin/dialect/tell_policy.c \
	src/admin/doctor/adoption.c \
	src/admin/doctor/clients.c \
	src/admin/doctor/doctor.c src/admin/doctor/doctor.h \
	src/admin/doctor/ended.c \
	src/admin/doctor/history.c \
	src/admin/doctor/installation.c \
	src/admin/doctor/keys.c \
	src/admin/doctor/mounts.c \
	src/admin/doctor/processes.c \
	src/admin/doctor/secret.c \
	src/admin/doctor/site.c \
	src/admin/doctor/webhooks.c \
	src/admin/explain/access.c \
	src/admin/explain/adopt.c \
	src/admin/explain/assertion.c \
	src/admin/explain/explain.c src/admin/explain/explain.h \
	src/admin/explain/paste.c src/admin/explain/paste.h \
	src/admin/explain/story.c src/admin/explain/story.h \
	src/admin/learn/account.c src/admin/learn/account.h \
	src/admin/learn/answer.c \
	src/admin/learn/endpoint.c \
	src/admin/learn/flow.c src/admin/learn/flow.h \
	src/admin/learn/har.c src/admin/learn/har.h \
	src/admin/learn/headers.c src/admin/learn/headers.h \
	src/admin/learn/learn.c src/admin/learn/learn.h \
	src/admin/learn/meaning.c src/admin/learn/meaning.h \
	src/admin/learn/own.c src/admin/learn/own.h \
	src/admin/learn/refusals.c \
	src/admin/learn/shape.c \
	src/admin/learn/side.c src/admin/learn/side.h \
	src/admin/learn/sort.c src/admin/learn/sort.h \
	src/admin/learn/template.c src/admin/learn/template.h \
	src/admin/learn/unsaid.c \
	src/admin/learn/values.c src/admin/learn/values.h \
	src/admin/notify/body.c src/admin/notify/body.h \
	src/admin/notify/delay.c src/admin/notify/delay.h \
	src/admin/notify/notify.c \
	src/admin/notify/secrets.c src/admin/notify/secrets.h \
	src/admin/verbs/account.c \
	src/admin/verbs/account_file.c \
	src/admin/verbs/client.c \
	src/admin/verbs/client_policy.c \
	src/admin/verbs/client_secret.c \
	src/admin/verbs/delivery.c \
	src/admin/verbs/dialect.c \
	src/admin/verbs/dialect_check.c \
	src/admin/verbs/dialect_learn.c \
	src/admin/verbs/dialect_test.c \
	src/admin/verbs/dialect_try.c \
	src/admin/verbs/event.c \
	src/admin/verbs/event_verify.c \
	src/admin/verbs/key.c \
	src/admin/verbs/key_state.c \
	src/admin/verbs/secret.c \
	src/admin/verbs/session.c \
	src/admin/verbs/session_export.c \
	src/admin/verbs/session_import.c \
	src/admin/verbs/store.c \
	src/admin/verbs/unlock.c \
	src/admin/verbs/verbs.h
bin_PROGRAMS += retoken
retoken_CPPFLAGS = $(AM_CPPFLAGS)
retoken_SOURCES = src/admin/main.c
retoken_LDADD = libadmin.a $(FLOORS)

# The program tells shells how to complete its command lines.
if !CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = completion/retoken
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = completion/_retoken
CLEANFILES += $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA)
completion/retoken: retoken$(EXEEXT)
	$(AM_V_GEN)mkdir -p completion && ./retoken$(EXEEXT) completion bash >$@
completion/_retoken: retoken$(EXEEXT)
	$(AM_V_GEN)mkdir -p completion && ./retoken$(EXEEXT) completion zsh >$@
endif
