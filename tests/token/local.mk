## tests/token: check_PROGRAMS += tests/token/test_FILE, with _SOURCES, _CPPFLAGS = $(TEST_CPPFLAGS), _LDADD = $(..._LIBS)
check_LIBRARIES += libtest_token.a
libtest_token_a_SOURCES = \
	tests/token/certificates.h \
	tests/token/fixture.c tests/token/fixture.h \
	tests/token/forge.c tests/token/forge.h \
	tests/token/rsa_pairs.c tests/token/rsa_pairs.h
libtest_token_a_CPPFLAGS = $(TEST_CPPFLAGS)

check_PROGRAMS += tests/token/test_secrets
tests_token_test_secrets_SOURCES = tests/token/test_secrets.c tests/token/secret_file.h
tests_token_test_secrets_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_secrets_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_secrets_file
tests_token_test_secrets_file_SOURCES = tests/token/test_secrets_file.c tests/token/secret_file.h
tests_token_test_secrets_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_secrets_file_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_refresh_token
tests_token_test_refresh_token_SOURCES = tests/token/test_refresh_token.c
tests_token_test_refresh_token_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_refresh_token_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_user_code
tests_token_test_user_code_SOURCES = tests/token/test_user_code.c
tests_token_test_user_code_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_user_code_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_signing_key
tests_token_test_signing_key_SOURCES = tests/token/test_signing_key.c
tests_token_test_signing_key_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_signing_key_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_signing_file
tests_token_test_signing_file_SOURCES = tests/token/test_signing_file.c
tests_token_test_signing_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_signing_file_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_signing_weak
tests_token_test_signing_weak_SOURCES = tests/token/test_signing_weak.c
tests_token_test_signing_weak_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_signing_weak_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_signing_numbers
tests_token_test_signing_numbers_SOURCES = tests/token/test_signing_numbers.c
tests_token_test_signing_numbers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_signing_numbers_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_signing_pair
tests_token_test_signing_pair_SOURCES = tests/token/test_signing_pair.c
tests_token_test_signing_pair_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_signing_pair_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_keyring
tests_token_test_keyring_SOURCES = tests/token/test_keyring.c
tests_token_test_keyring_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_keyring_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_jws
tests_token_test_jws_SOURCES = tests/token/test_jws.c
tests_token_test_jws_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_jws_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_client_keys
tests_token_test_client_keys_SOURCES = tests/token/test_client_keys.c
tests_token_test_client_keys_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_client_keys_LDADD = $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_dpop_jwt
tests_token_test_dpop_jwt_SOURCES = tests/token/test_dpop_jwt.c
tests_token_test_dpop_jwt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_dpop_jwt_LDADD = libclient_jwt_own.a $(TOKEN_LIBS)

check_PROGRAMS += tests/token/test_certificate
tests_token_test_certificate_SOURCES = tests/token/test_certificate.c
tests_token_test_certificate_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_certificate_LDADD = $(TOKEN_LIBS)

# The same tests over both verifiers.
check_PROGRAMS += tests/token/test_client_jwt_own
tests_token_test_client_jwt_own_SOURCES = tests/token/test_client_jwt.c
tests_token_test_client_jwt_own_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_client_jwt_own_LDADD = libclient_jwt_own.a $(TOKEN_LIBS)
if CLIENT_JWT_LIBJWT
check_PROGRAMS += tests/token/test_client_jwt_libjwt
tests_token_test_client_jwt_libjwt_SOURCES = tests/token/test_client_jwt.c
tests_token_test_client_jwt_libjwt_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_client_jwt_libjwt_LDADD = libclient_jwt_libjwt.a $(TOKEN_LIBS) $(LIBJWT_LIBS)
endif

check_PROGRAMS += tests/token/test_adoption_key
tests_token_test_adoption_key_SOURCES = tests/token/test_adoption_key.c
tests_token_test_adoption_key_CPPFLAGS = $(TEST_CPPFLAGS)
tests_token_test_adoption_key_LDADD = libtoken.a $(CLIENT_JWT) $(TOKEN_LIBS) $(LIBJWT_LIBS)
