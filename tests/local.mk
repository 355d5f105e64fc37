## Unit tests mirror src/; each links its own floor and what lies below, nothing above. What the tests
## of a folder share is a library of its own, compiled once.
TEST_CPPFLAGS = -I$(top_srcdir)/src -I$(top_srcdir)/tests $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
BASE_LIBS = libbase.a $(JANSSON_LIBS) $(OPENSSL_LIBS) $(CMOCKA_LIBS)
HTTP_LIBS = libhttp.a $(BASE_LIBS)
MODEL_LIBS = libmodel.a $(BASE_LIBS)
TOKEN_LIBS = libtest_token.a libtoken.a libmodel.a libbase.a $(ZLIB_LIBS) $(BASE_LIBS)
STORE_LIBS = libtest_store.a libstore.a libmodel.a libbase.a $(LMDB_LIBS) $(BASE_LIBS)
OPERATION_LIBS = libtest_operation.a liboperation.a libhttp.a libstore.a $(XCRYPT_LIBS) $(LMDB_LIBS) $(CLIENT_JWT) $(TOKEN_LIBS) $(LIBJWT_LIBS)
DIALECT_LIBS = libdialect.a libhttp.a $(OPERATION_LIBS)
SERVER_LIBS = libserver.a $(HTTP_LIBS)
PROCESS_LIBS = libprocess.a $(DIALECT_LIBS)

include tests/base/local.mk
include tests/http/local.mk
include tests/model/local.mk
include tests/token/local.mk
include tests/store/local.mk
include tests/operation/local.mk
include tests/decision/local.mk
include tests/dialect/local.mk
include tests/process/local.mk
include tests/server/local.mk
include tests/responder/local.mk
include tests/admin/local.mk
include tests/fuzz/local.mk
include tests/campaign/local.mk
