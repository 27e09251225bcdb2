<?php
defined('MOODLE_INTERNAL') || die();

$subplugins = array('assignsubmission'=>'mod/assign/submission', 'assignfeedback'=>'mod/assign/feedback');
