## src/operation: the operation
noinst_LIBRARIES += liboperation.a
liboperation_a_SOURCES = \
	src/operation/issuer.c \
	src/operation/issuer.h \
	src/operation/client_auth.c \
	src/operation/client_auth.h \
	src/operation/decision.c \
	src/operation/decision.h \
	src/operation/issue.c \
	src/operation/issue.h \
	src/operation/login.c \
	src/operation/login.h \
	src/operation/password.c \
	src/operation/password.h \
	src/operation/preview.c \
	src/operation/preview.h \
	src/operation/refresh.c \
	src/operation/refresh.h \
	src/operation/token_ref.c \
	src/operation/token_ref.h
