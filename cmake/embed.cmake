# SPDX-License-Identifier: Apache-2.0
# takc_embed(FILE OUT): writes OUT as the bytes of FILE for a C array's braces; the build is configured anew when FILE changes.
function(takc_embed file out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  file(CONFIGURE OUTPUT ${out} CONTENT "/* SPDX-License-Identifier: Apache-2.0: made from ${file} */\n${bytes}\n" @ONLY)
endfunction()
