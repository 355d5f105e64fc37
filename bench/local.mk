## bench: load generator, limits and helpers of ./bench/run and ./bench/peers; built on demand only.
EXTRA_PROGRAMS = bench/loadgen bench/limits bench/nothing bench/noop bench/starts bench/populate
bench-programs: $(EXTRA_PROGRAMS)
.PHONY: bench-programs campaign-programs

bench_loadgen_SOURCES = bench/loadgen.c
bench_limits_SOURCES = bench/limits.c
bench_limits_LDADD = $(LMDB_LIBS) $(OPENSSL_LIBS)
bench_nothing_SOURCES = bench/nothing.c
bench_nothing_LDADD = $(FCGI_LIBS)
bench_noop_SOURCES = bench/noop.c
bench_noop_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--no-as-needed
bench_noop_LDADD = $(FCGI_LIBS) $(LIBJWT_LIBS) $(LMDB_LIBS) $(XCRYPT_LIBS) \
	$(JANSSON_LIBS) $(ZLIB_LIBS) $(OPENSSL_LIBS)
bench_starts_SOURCES = bench/starts.c
bench_populate_SOURCES = bench/populate.c
bench_populate_LDADD = $(FLOORS)
if STATIC
EXTRA_PROGRAMS += bench/slow.cgi
bench_slow_cgi_SOURCES = $(retoken_cgi_SOURCES) bench/slow_disk.c
bench_slow_cgi_LDFLAGS = $(retoken_cgi_LDFLAGS)
bench_slow_cgi_LDADD = $(retoken_cgi_LDADD)
endif

EXTRA_DIST += bench/README.md bench/run bench/peers bench/wal bench/measure.py bench/disturb.py bench/database.py bench/held_log.c bench/slow_disk.c \
	bench/peer/package.json bench/peer/oauth2-server.cjs bench/peer/oidc-provider.mjs
