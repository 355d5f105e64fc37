## src/model
noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = \
	src/model/outcome.c \
	src/model/outcome.h \
	src/model/event.c \
	src/model/event.h \
	src/model/client_refusal.c src/model/client_refusal.h \
	src/model/mark.h \
	src/model/session.c \
	src/model/session.h \
	src/model/signing.c \
	src/model/signing.h \
	src/model/webhook.h \
	src/model/account.c src/model/account.h \
	src/model/client.c src/model/client.h \
	src/model/hook.h \
	src/model/cookie.h src/model/mount.h src/model/realm.h \
	src/model/scope.c src/model/scope.h \
	src/model/policy.c \
	src/model/policy.h
