## src/base
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/fault.c \
	src/base/fault.h \
	src/base/log.c \
	src/base/log.h \
	src/base/log_socket.c \
	src/base/log_socket.h \
	src/base/text.c \
	src/base/text.h \
	src/base/arena.c \
	src/base/arena.h \
	src/base/buffer.c \
	src/base/buffer.h \
	src/base/codec.c \
	src/base/codec.h \
	src/base/crypto.c \
	src/base/crypto.h \
	src/base/processors.c \
	src/base/processors.h \
	src/base/metrics.c \
	src/base/metrics.h \
	src/base/secret.c \
	src/base/secret.h \
	src/base/clock.c \
	src/base/clock.h \
	src/base/date.c \
	src/base/date.h \
	src/base/json_in.c \
	src/base/json_out.c \
	src/base/json.h \
	src/base/form.c \
	src/base/form.h \
	src/base/whole_file.c \
	src/base/whole_file.h
