## src/responder: the program behind the web server. All but main.c is a library, so that tests
## reach it.
noinst_LIBRARIES += libresponder.a
libresponder_a_SOURCES = \
	src/responder/hand_over.c src/responder/hand_over.h \
	src/responder/serve.c src/responder/serve.h \
	src/responder/service_lazy.c src/responder/service_lazy.h \
	src/responder/request_log.c src/responder/request_log.h \
	src/responder/router.c src/responder/router.h

bin_PROGRAMS += retoken.fcgi
retoken_fcgi_SOURCES = src/responder/main.c
retoken_fcgi_LDADD = libresponder.a libserver.a $(FLOORS) $(FCGI_LIBS)
