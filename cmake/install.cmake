# SPDX-License-Identifier: Apache-2.0
install(TARGETS takc_static takc_shared)
if(TARGET takc)
  install(TARGETS takc)
endif()
install(DIRECTORY include/takc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
