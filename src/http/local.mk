## src/http
noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	src/http/client.c \
	src/http/client.h \
	src/http/exchange.h \
	src/http/network.c \
	src/http/network.h \
	src/http/origin.c \
	src/http/origin.h \
	src/http/recording.c \
	src/http/recording.h \
	src/http/redirect.c \
	src/http/redirect.h \
	src/http/request.c \
	src/http/request.h \
	src/http/response.c \
	src/http/response.h
