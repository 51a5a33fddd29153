# Where files are installed, and the Debian package: cmake --build --preset release, then
# cpack --config build/release/CPackConfig.cmake -B FOLDER.

install(TARGETS hotdeskd DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS hotdeskctl DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES conf/hotdeskd.yaml DESTINATION /etc/hotdeskd)
install(DIRECTORY conf/provision conf/form DESTINATION ${CMAKE_INSTALL_DATADIR}/hotdeskd)
install(FILES conf/systemd/hotdeskd.service DESTINATION /lib/systemd/system)
install(FILES conf/systemd/hotdeskd.sysusers DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d
	RENAME hotdeskd.conf)
install(FILES conf/systemd/hotdeskd.sysctl DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysctl.d
	RENAME 60-hotdeskd.conf)
install(DIRECTORY conf/prompts DESTINATION ${CMAKE_INSTALL_DATADIR}/hotdeskd)
install(FILES conf/fail2ban/hotdeskd.conf DESTINATION /etc/fail2ban/jail.d)

set(doc ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md DESTINATION ${doc} OPTIONAL)
install(FILES conf/debian/copyright DESTINATION ${doc})
install(FILES conf/demo-directory.yaml DESTINATION ${doc}/examples OPTIONAL)

# gzip -n: the same input gives the same package.
find_program(HD_GZIP gzip REQUIRED)
function(hd_install_compressed source name destination)
	set(made ${PROJECT_BINARY_DIR}/package/${name}.gz)
	add_custom_command(OUTPUT ${made} DEPENDS ${PROJECT_SOURCE_DIR}/${source}
		COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/package
		COMMAND sh -c "\"$1\" -9nc \"$2\" > \"$3\"" -- ${HD_GZIP}
			${PROJECT_SOURCE_DIR}/${source} ${made}
		VERBATIM)
	string(MAKE_C_IDENTIFIER gz_${name} target)
	add_custom_target(${target} ALL DEPENDS ${made})
	install(FILES ${made} DESTINATION ${destination})
endfunction()

hd_install_compressed(conf/debian/changelog changelog.Debian ${doc})
foreach(page src/daemon/hotdeskd.8 src/ctl/hotdeskctl.1 src/conf/hotdeskd.yaml.5)
	if(EXISTS ${PROJECT_SOURCE_DIR}/${page})
		get_filename_component(name ${page} NAME)
		string(REGEX REPLACE ".*\\." "" section ${page})
		hd_install_compressed(${page} ${name} ${CMAKE_INSTALL_MANDIR}/man${section})
	endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME hotdeskd)
set(CPACK_PACKAGE_VENDOR "The hotdeskd authors")
set(CPACK_PACKAGE_CONTACT "The hotdeskd authors <hotdeskd@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_DESCRIPTION
"hotdeskd lets people log in at any desk phone of an office. Phones register
to it with an account of the phone; whoever logs in with number and PIN is
called there and nowhere else, and is logged out at the phone used before.
.
It is a registrar and a stateful proxy in one daemon without other servers:
SIP over UDP, TCP and TLS, state in an embedded database that survives power
loss. hotdeskctl is the administrator's command line.")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
	"systemd | systemd-standalone-sysusers | systemd-sysusers, init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fail2ban")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
	${PROJECT_SOURCE_DIR}/conf/debian/conffiles
	${PROJECT_SOURCE_DIR}/conf/debian/postinst
	${PROJECT_SOURCE_DIR}/conf/debian/prerm
	${PROJECT_SOURCE_DIR}/conf/debian/postrm)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
	GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
include(CPack)
