# What an installed Orzatty is: the public headers, one static library per layer, the program, and a
# package, so that find_package(orzatty) gives orzatty::core, orzatty::server and orzatty::client.
# Users link these three; the layers behind them are called orzatty::layer_NAME.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(orzatty_product name)
  add_library(orzatty_product_${name} INTERFACE)
  add_library(orzatty::${name} ALIAS orzatty_product_${name})
  set_target_properties(orzatty_product_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(orzatty_product_${name} INTERFACE cxx_std_23)
  target_include_directories(orzatty_product_${name} INTERFACE
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  foreach(layer IN LISTS ARGN)
    if(TARGET orzatty_${layer})
      target_link_libraries(orzatty_product_${name} INTERFACE orzatty_${layer})
    endif()
  endforeach()
  install(TARGETS orzatty_product_${name} EXPORT orzatty)
endfunction()

orzatty_product(core base wire session)
if(TARGET orzatty_runtime)  # it holds the front doors of both
  orzatty_product(server runtime)
  orzatty_product(client runtime)
endif()

foreach(line IN LISTS ORZATTY_LAYER_LINES)
  string(REGEX MATCH "^[a-z]+" layer "${line}")
  if(TARGET orzatty_${layer})
    install(TARGETS orzatty_${layer} EXPORT orzatty ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  endif()
endforeach()
if(TARGET orzatty)
  install(TARGETS orzatty RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/orzatty DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/orzatty)
install(EXPORT orzatty NAMESPACE orzatty:: FILE orzattyTargets.cmake DESTINATION ${package})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/orzattyConfig.cmake.in
  ${CMAKE_BINARY_DIR}/orzattyConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/orzattyConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)  # before 1.0 a minor version may change the API
install(FILES ${CMAKE_BINARY_DIR}/orzattyConfig.cmake ${CMAKE_BINARY_DIR}/orzattyConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/OrzattySchema.cmake ${CMAKE_CURRENT_LIST_DIR}/OrzattyTypedHeader.cmake
        DESTINATION ${package})
