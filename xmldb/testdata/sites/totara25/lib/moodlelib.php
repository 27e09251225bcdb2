<?php
function get_core_subsystems() {
    global $CFG;
    static $info = null;
    if (!$info) {
        $info = array(
            'access'      => NULL,
            'admin'       => $CFG->admin,
            'moodle.org'  => NULL, // the dot is nasty
            'role'        => $CFG->admin.'/role',
        );
    }
    return $info;
}

function get_plugin_types($fullpaths=true) {
    global $CFG;
        $info = array('qtype'         => 'question/type',
                      'mod'           => 'mod',
                      'editor'        => 'lib/editor',
                      'coursereport'  => 'course/report', // must be after system reports
                      'totara'        => 'totara',
                      'tool'          => $CFG->admin.'/tool',
                      'theme'         => 'theme',
        );
        $subpluginowners = array_merge(array_values(get_plugin_list('mod')),
                array_values(get_plugin_list('editor')));
    return $info;
}
