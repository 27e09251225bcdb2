<?php
// Part of moodledb's sample site: sub-plugins in the form that was usual before subplugins.json.

defined('MOODLE_INTERNAL') || die();

$subplugins = [
    'measureprobe' => 'local/measure/probe',
];
