## src/refresh: the operation
noinst_LIBRARIES += librefresh.a
librefresh_a_SOURCES = \
	src/refresh/authority.c \
	src/refresh/authority.h \
	src/refresh/client_auth.c \
	src/refresh/client_auth.h \
	src/refresh/decision.c \
	src/refresh/decision.h \
	src/refresh/issue.c \
	src/refresh/issue.h \
	src/refresh/login.c \
	src/refresh/login.h \
	src/refresh/password.c \
	src/refresh/password.h \
	src/refresh/preview.c \
	src/refresh/preview.h \
	src/refresh/refresh.c \
	src/refresh/refresh.h \
	src/refresh/token_ref.c \
	src/refresh/token_ref.h
