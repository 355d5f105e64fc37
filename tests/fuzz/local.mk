## tests/fuzz: one target per file; see fuzz.h. Linked with replay.c, or with libFuzzer after
## `configure --enable-sanitize=fuzzer`. A target takes three lines here and a folder of seeds.
FUZZ_CPPFLAGS = $(TEST_CPPFLAGS) -DFUZZ_SEEDS=\"$(abs_top_srcdir)/tests/fuzz/seeds\"
if FUZZER
FUZZ_MAIN = $(FUZZ_LIBS)
else
check_LIBRARIES += libtest_fuzz.a
libtest_fuzz_a_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz.h
libtest_fuzz_a_CPPFLAGS = $(FUZZ_CPPFLAGS)
FUZZ_MAIN = libtest_fuzz.a
endif

FUZZ_TARGETS = \
	tests/fuzz/fuzz_form \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_cgi \
	tests/fuzz/fuzz_headers \
	tests/fuzz/fuzz_recording \
	tests/fuzz/fuzz_learn \
	tests/fuzz/fuzz_jws \
	tests/fuzz/fuzz_jwk \
	tests/fuzz/fuzz_refresh_token \
	tests/fuzz/fuzz_record \
	tests/fuzz/fuzz_account_line \
	tests/fuzz/fuzz_oauth_page \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_dialect \
	tests/fuzz/fuzz_fcgi_scan
if FUZZER
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
else
check_PROGRAMS += $(FUZZ_TARGETS)
endif
fuzz-programs: $(FUZZ_TARGETS)

tests_fuzz_fuzz_form_SOURCES = tests/fuzz/fuzz_form.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_form_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_form_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_json_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_json_LDADD = $(FUZZ_MAIN) $(BASE_LIBS)
tests_fuzz_fuzz_cgi_SOURCES = tests/fuzz/fuzz_cgi.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cgi_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_cgi_LDADD = $(FUZZ_MAIN) $(HTTP_LIBS)
tests_fuzz_fuzz_headers_SOURCES = tests/fuzz/fuzz_headers.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_headers_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_headers_LDADD = $(FUZZ_MAIN) $(HTTP_LIBS)
tests_fuzz_fuzz_recording_SOURCES = tests/fuzz/fuzz_recording.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_recording_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_recording_LDADD = $(FUZZ_MAIN) $(HTTP_LIBS)
tests_fuzz_fuzz_learn_SOURCES = tests/fuzz/fuzz_learn.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_learn_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_learn_LDADD = $(FUZZ_MAIN) $(ADMIN_LIBS)
tests_fuzz_fuzz_jws_SOURCES = tests/fuzz/fuzz_jws.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_jws_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jws_LDADD = $(FUZZ_MAIN) $(TOKEN_LIBS)
tests_fuzz_fuzz_jwk_SOURCES = tests/fuzz/fuzz_jwk.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_jwk_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jwk_LDADD = $(FUZZ_MAIN) $(TOKEN_LIBS)
tests_fuzz_fuzz_refresh_token_SOURCES = tests/fuzz/fuzz_refresh_token.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_refresh_token_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_refresh_token_LDADD = $(FUZZ_MAIN) $(TOKEN_LIBS)
tests_fuzz_fuzz_record_SOURCES = tests/fuzz/fuzz_record.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_record_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_record_LDADD = $(FUZZ_MAIN) $(STORE_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_config_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_config_LDADD = $(FUZZ_MAIN) $(PROCESS_LIBS)
tests_fuzz_fuzz_dialect_SOURCES = tests/fuzz/fuzz_dialect.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_dialect_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_dialect_LDADD = $(FUZZ_MAIN) $(PROCESS_LIBS)
tests_fuzz_fuzz_fcgi_scan_SOURCES = tests/fuzz/fuzz_fcgi_scan.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_fcgi_scan_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_fcgi_scan_LDADD = $(FUZZ_MAIN) $(SERVER_LIBS)
tests_fuzz_fuzz_account_line_SOURCES = tests/fuzz/fuzz_account_line.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_account_line_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_account_line_LDADD = $(FUZZ_MAIN) $(ADMIN_LIBS)
tests_fuzz_fuzz_oauth_page_SOURCES = tests/fuzz/fuzz_oauth_page.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_oauth_page_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_oauth_page_LDADD = $(FUZZ_MAIN) $(DIALECT_LIBS)

EXTRA_DIST += tests/fuzz/seeds
