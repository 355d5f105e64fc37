## src/server: FastCGI and plain CGI. libfcgi is linked by what uses fastcgi.c.
noinst_LIBRARIES += libserver.a
libserver_a_SOURCES = \
	src/server/handler.h \
	src/server/workers.c src/server/workers.h \
	src/server/connections.c src/server/connections.h \
	src/server/listener.c src/server/listener.h \
	src/server/fastcgi.c src/server/fastcgi.h \
	src/server/fcgi_scan.c src/server/fcgi_scan.h \
	src/server/fcgi_buffer.c src/server/fcgi_buffer.h \
	src/server/cgi.c src/server/cgi.h \
	src/server/message.c src/server/message.h \
	src/server/signals.c src/server/signals.h
