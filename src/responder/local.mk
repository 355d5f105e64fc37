## src/responder: the program behind the web server. All but main.c is a library, so that tests
## reach it; libfcgi is linked by the program alone.
noinst_LIBRARIES += libresponder.a
libresponder_a_SOURCES = \
	src/responder/serve.c src/responder/serve.h \
	src/responder/installation.c src/responder/installation.h \
	src/responder/request_log.c src/responder/request_log.h \
	src/responder/router.c src/responder/router.h \
	src/responder/exchange.c src/responder/exchange.h \
	src/responder/cgi.c src/responder/cgi.h \
	src/responder/door.c src/responder/door.h \
	src/responder/records.c src/responder/records.h \
	src/responder/records_copy.c src/responder/records_copy.h \
	src/responder/listener.c src/responder/listener.h

bin_PROGRAMS += retoken.fcgi
retoken_fcgi_SOURCES = \
	src/responder/main.c \
	src/responder/crew.c src/responder/crew.h \
	src/responder/gateway.c src/responder/gateway.h
retoken_fcgi_LDADD = libresponder.a $(FLOORS) $(FCGI_LIBS)
