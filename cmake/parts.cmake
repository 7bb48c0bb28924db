# SPDX-License-Identifier: Apache-2.0
# Parts from outside, all by name from the system's packages. scripts/install-parts.sh installs them.
find_package(PkgConfig REQUIRED)
set(TAKC_PARTS "")
set(TAKC_PC_PARTS jansson sqlite3 libxml-2.0 libzip libcmark-gfm icu-uc icu-i18n yaml-0.1 libcrypto libseccomp zlib)
foreach(part ${TAKC_PC_PARTS})
  string(MAKE_C_IDENTIFIER "PART_${part}" id)
  pkg_check_modules(${id} REQUIRED IMPORTED_TARGET ${part})
  list(APPEND TAKC_PARTS PkgConfig::${id})
endforeach()
# These two ship no pkg-config file in Debian 12.
find_library(TAKC_LIBCSV csv REQUIRED)
find_library(TAKC_LIBCMARK_EXT cmark-gfm-extensions REQUIRED)
# libcurl is loaded when it is first needed (src/net/curl.h): its headers are for building, its name is linked nowhere.
pkg_check_modules(TAKC_CURL REQUIRED libcurl>=7.80)
# So is libmicrohttpd (src/http/mhd.h).
pkg_check_modules(TAKC_MHD REQUIRED libmicrohttpd>=0.9.75)
# And libcjose (src/auth/cjose.h).
pkg_check_modules(TAKC_CJOSE REQUIRED cjose)
find_package(Threads REQUIRED)
list(APPEND TAKC_PARTS ${TAKC_LIBCSV} ${TAKC_LIBCMARK_EXT} Threads::Threads ${CMAKE_DL_LIBS} m)
