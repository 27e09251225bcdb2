<?php
/* The old way, still read where there is no subplugins.json. */
$subplugins = array('logstore' => 'admin/tool' . '/log/store');
