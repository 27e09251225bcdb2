<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'assignsubmission_onlinetext';
$plugin->version   = 2024100700;
