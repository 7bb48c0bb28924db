# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` lays out: program, library (shared and static), headers, pkg-config and CMake package files, manual, completion.
# The manual and the completion are what the built program says of itself, so that they cannot disagree with --help.
include(CMakePackageConfigHelpers)

set_target_properties(takc_shared PROPERTIES EXPORT_NAME takc)
install(TARGETS takc_static takc_shared EXPORT takcTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/takc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# pkg-config: relative to the prefix where GNUInstallDirs gives relative paths, so that a staged or moved tree still works.
foreach(dir LIBDIR INCLUDEDIR)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${dir}}")
    set(TAKC_PC_${dir} "${CMAKE_INSTALL_${dir}}")
  else()
    set(TAKC_PC_${dir} "\${prefix}/${CMAKE_INSTALL_${dir}}")
  endif()
endforeach()
list(JOIN TAKC_PC_PARTS " " TAKC_PC_REQUIRES)
set(TAKC_PC_LIBS_PRIVATE "-lcsv -lcmark-gfm-extensions -lpthread -lm")
configure_file(cmake/takc.pc.in takc.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/takc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(TAKC_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/takc)
install(EXPORT takcTargets NAMESPACE takc:: DESTINATION ${TAKC_CMAKE_DIR})
configure_package_config_file(cmake/takcConfig.cmake.in takcConfig.cmake INSTALL_DESTINATION ${TAKC_CMAKE_DIR})
write_basic_package_version_file(takcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/takcConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/takcConfigVersion.cmake DESTINATION ${TAKC_CMAKE_DIR})

if(TARGET takc)
  install(TARGETS takc)
  if(NOT CMAKE_CROSSCOMPILING)
    install(CODE "
      foreach(made \"takc.1|--man\" \"takc.bash|--completion=bash\")
        string(REPLACE \"|\" \";\" made \"\${made}\")
        list(GET made 0 file)
        list(GET made 1 option)
        execute_process(COMMAND \"$<TARGET_FILE:takc>\" help \${option} OUTPUT_FILE \"${CMAKE_CURRENT_BINARY_DIR}/\${file}\" RESULT_VARIABLE failed)
        if(failed)
          message(FATAL_ERROR \"takc help \${option}: \${failed}\")
        endif()
      endforeach()")
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/takc.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/takc.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME takc)
  endif()
endif()
