<?php
// Part of moodledb's sample site.

defined('MOODLE_INTERNAL') || die();

$plugin->component = 'search_simpledb';
$plugin->version   = 2024100700;
